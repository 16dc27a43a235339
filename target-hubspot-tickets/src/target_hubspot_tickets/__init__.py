"""Core: Singer target that upserts, associates and archives HubSpot tickets."""
