"""Shell: `python -m tap_salesforce_cases`."""

from tap_salesforce_cases.tap import TapSalesforceCases

if __name__ == "__main__":
    TapSalesforceCases.cli()
