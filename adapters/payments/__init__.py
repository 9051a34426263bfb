"""Payment gateways: for each a pure core and a thin client around it."""
