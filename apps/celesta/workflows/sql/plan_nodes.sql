-- The rows by which the database moves runs of a version, read from the version's own plan; one
-- statement, since 10,000 nodes as parameters would take seconds. Relies on the version's primary key, and
-- on the rows of its gates.
INSERT INTO celesta_plan_node (
  version_id, node, name, queue, priority, gate, feeds, follower, refs, uses_params, handled, last_resort,
  auto, root, body,
  body_of, compensates, detached)
SELECT
  v.id, (n->>'index')::int, n->>'name', n->>'queue', (n->>'priority')::smallint, (n->>'gate')::int,
  ARRAY(SELECT f.value::int FROM jsonb_array_elements_text(n->'feeds') WITH ORDINALITY f ORDER BY f.ordinality),
  q.nodes[1],
  ARRAY(SELECT r.value::int FROM jsonb_array_elements_text(n->'refs') WITH ORDINALITY r ORDER BY r.ordinality),
  (n->>'uses_params')::boolean, (n->>'handled')::boolean,
  coalesce((n->>'last_resort')::boolean, false), (n->>'auto')::boolean,
  (n->>'gate')::int = %(none)s AND NOT apart.detached,
  (n->>'body')::int, (n->>'body_of')::int, (n->>'compensates')::int, apart.detached
FROM celesta_workflow_version v
CROSS JOIN LATERAL jsonb_array_elements(v.plan_json->'nodes') AS n
CROSS JOIN LATERAL (
  SELECT (n->>'body_of')::int <> %(none)s OR (n->>'compensates')::int <> %(none)s AS detached) apart
LEFT JOIN celesta_plan_gate q
  ON q.version_id = v.id AND q.gate = (n->'feeds'->>0)::int AND jsonb_array_length(n->'feeds') = 1
  AND q.total = 1 AND cardinality(q.nodes) = 1 AND q.rule <> 'any_failed'
WHERE v.id = %(version)s
