"""What the documentation adds to Sphinx: a page for every public name, tables from declarations, MathML."""
