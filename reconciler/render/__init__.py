"""Plan documents and events as text, JSON, markdown and HTML; decides nothing."""
