"""Every vendor of the registry through a gateway, in front of an upstream that answers as that vendor does."""
