"""What commands do, with words around it; `adapters/cli.py` names them."""
