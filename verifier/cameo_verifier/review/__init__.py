"""Evaluation over many attempts: error rates after ISO/IEC 30107-3, and the report that shows them."""
