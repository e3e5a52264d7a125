"""Pure functions of tensors: state comes in, state goes out, nothing is kept."""
