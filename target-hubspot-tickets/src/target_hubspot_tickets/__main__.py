"""Shell: the program, by its name and as `python -m target_hubspot_tickets`."""

import gc

gc.disable()  # what is imported lives until the end: to look for garbage in it takes a tenth of the start

from target_hubspot_tickets.target import TargetHubspotTickets  # noqa: E402 - behind the line above


def main() -> None:
    """The command line."""
    TargetHubspotTickets.cli()


if __name__ == "__main__":
    main()
