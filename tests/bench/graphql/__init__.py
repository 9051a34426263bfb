"""`make bench-graphql`: our endpoint beside others', in one run."""
