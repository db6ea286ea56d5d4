"""Generated documents: pages whose content stands in the code, written and compared by one script."""
