"""How findings are shown: maps, sheets, documents and workbooks. Nothing here computes a figure that is quoted."""
