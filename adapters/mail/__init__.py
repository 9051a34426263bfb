"""Mail: how our letters read, and how they leave the house."""
