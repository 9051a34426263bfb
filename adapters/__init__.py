"""Everything that speaks to something else: databases, vendors, the command line, the other side of vendors."""
