"""A declarative reconciler for ActiveCampaign accounts. Holds only the version, so that importing it is free."""

__version__ = "0.2.0"
