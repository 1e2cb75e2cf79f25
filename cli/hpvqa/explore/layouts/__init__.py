"""What scenes are made of: places where something may be hidden, on a table, and from where that is seen."""
