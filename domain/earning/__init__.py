"""What streamers earn by showing creatives: evidence by the minute, its price, and the way from escrow to a creator."""
