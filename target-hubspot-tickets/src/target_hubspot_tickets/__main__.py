"""Shell: `python -m target_hubspot_tickets`."""

from target_hubspot_tickets.target import TargetHubspotTickets

if __name__ == "__main__":
    TargetHubspotTickets.cli()
