-- The four databases. `otel` keeps the OpenTelemetry exporter's tables, `heliograph` everything else, `people` the
-- identity map alone, `boards` only views: it is all that the read-only face may see.
CREATE DATABASE IF NOT EXISTS otel {{on_cluster}};
CREATE DATABASE IF NOT EXISTS heliograph {{on_cluster}};
CREATE DATABASE IF NOT EXISTS people {{on_cluster}};
CREATE DATABASE IF NOT EXISTS boards {{on_cluster}};
