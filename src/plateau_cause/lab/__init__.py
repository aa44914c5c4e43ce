"""The laboratory: arms (recipes with every value concrete), trained once each and kept by content."""
