"""The parts of DMN 1.3 that `webapp.engine.decisions` puts together: reading, types, boxed expressions, tables."""
