"""Shell: the program, by its name and as `python -m tap_salesforce_cases`."""

import gc

gc.disable()  # what is imported lives until the end: to look for garbage in it takes a tenth of the start

from tap_salesforce_cases.tap import TapSalesforceCases  # noqa: E402 - behind the line above


def main() -> None:
    """The command line."""
    TapSalesforceCases.cli()


if __name__ == "__main__":
    main()
