"""Where tools come from: whatever has documentation becomes tools that really run.

Every source gives a ``Tools``: LangChain tools for ``bind_tools``, ``ToolNode`` and
``ToolCatalog``, and what it refused, by place and reason.
"""
