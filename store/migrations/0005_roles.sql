-- The face reads the views and nothing else. The embedded engine has the same role in its own configuration file.
-- on: server, cluster
CREATE ROLE IF NOT EXISTS heliograph_face {{on_cluster}};
-- on: server, cluster
GRANT {{on_cluster}} SELECT, SHOW ON boards.* TO heliograph_face;
