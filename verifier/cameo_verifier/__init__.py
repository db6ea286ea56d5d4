"""The service package: a recording becomes evidence, evidence is checked, the checks are decided, and a credential is issued."""
