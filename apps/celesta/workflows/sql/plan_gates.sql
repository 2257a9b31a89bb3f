-- The gates of a version: how many ends each counts, and which nodes it releases; read from its plan.
INSERT INTO celesta_plan_gate (version_id, gate, rule, total, nodes)
SELECT
  v.id, (g->>'index')::int, g->>'rule', jsonb_array_length(g->'upstreams'),
  ARRAY(SELECT m.value::int FROM jsonb_array_elements_text(g->'nodes') WITH ORDINALITY m ORDER BY m.ordinality)
FROM celesta_workflow_version v
CROSS JOIN LATERAL jsonb_array_elements(v.plan_json->'gates') AS g
WHERE v.id = %(version)s
