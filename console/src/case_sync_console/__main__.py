"""Shell: `python -m case_sync_console`."""

from case_sync_console.app import main

if __name__ == "__main__":
    main()
