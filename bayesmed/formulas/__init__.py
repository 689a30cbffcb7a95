"""Pure array functions: one published equation each."""
