"""Pictures of the dashboards: each panel's own expressions, asked of a Prometheus and drawn in Grafana's layout."""
