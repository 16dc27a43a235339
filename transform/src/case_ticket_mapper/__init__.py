"""Core: Singer inline mapper that turns Salesforce cases into HubSpot tickets by rules."""
