"""Shell: `python -m case_ticket_mapper`."""

from case_ticket_mapper.mapper import CaseTicketMapper

if __name__ == "__main__":
    CaseTicketMapper.cli()
