"""Shell: the program, by its name and as `python -m case_ticket_mapper`."""

import gc

gc.disable()  # what is imported lives until the end: to look for garbage in it takes a tenth of the start

from case_ticket_mapper.mapper import CaseTicketMapper  # noqa: E402 - behind the line above


def main() -> None:
    """The command line."""
    CaseTicketMapper.cli()


if __name__ == "__main__":
    main()
