-- What the bodies of claimed nodes read: outputs, states and errors of the nodes their expressions name,
-- the run's params, and the item. NULL when no node reads anything. Bodies of a map read scope 0.
-- In PL/pgSQL, since a function in plain SQL is parsed and planned anew at every call.
CREATE FUNCTION celesta_inputs_v1(p_run uuid, p_version bigint, p_scopes int[], p_nodes int[])
RETURNS jsonb[] LANGUAGE plpgsql STABLE AS $$
DECLARE
  found_inputs jsonb[];
BEGIN
  PERFORM 1 FROM unnest(p_nodes) AS k(node) CROSS JOIN LATERAL (
    SELECT t.refs <> '{}' OR t.uses_params OR t.body_of >= 0 AS reads FROM celesta_plan_node t
    WHERE t.version_id = p_version AND t.node = k.node LIMIT 1) p
  WHERE p.reads LIMIT 1;
  IF NOT FOUND THEN RETURN NULL; END IF;
  SELECT array_agg(
    CASE WHEN p.refs = '{}' AND NOT p.uses_params AND p.body_of < 0 THEN NULL
    ELSE jsonb_build_object(
      'item_at', k.scope - e.first_scope,
      'item', i.value,
      'params', CASE WHEN p.uses_params THEN (SELECT r.params FROM celesta_run r WHERE r.id = p_run) END,
      'nodes', CASE WHEN p.refs = '{}' THEN '{}' ELSE (
        SELECT coalesce(jsonb_object_agg(ref::text, jsonb_build_object(
          'state', n.state, 'output', o.value, 'error', o.error)), '{}')
        FROM unnest(p.refs) AS ref
        CROSS JOIN LATERAL (
          SELECT t.state, t.scope FROM celesta_node_run t
          WHERE t.run_id = p_run AND t.node = ref
            AND t.scope = CASE WHEN p.body_of >= 0 THEN 0 ELSE k.scope END LIMIT 1) n
        LEFT JOIN LATERAL (
          SELECT t.value, t.error FROM celesta_output t
          WHERE t.run_id = p_run AND t.scope = n.scope AND t.node = ref LIMIT 1) o ON true) END)
    END ORDER BY k.ord)
  INTO found_inputs
  FROM unnest(p_scopes, p_nodes) WITH ORDINALITY AS k(scope, node, ord)
  CROSS JOIN LATERAL (
    SELECT * FROM celesta_plan_node t
    WHERE t.version_id = p_version AND t.node = k.node LIMIT 1) p
  LEFT JOIN LATERAL (
    SELECT t.value FROM celesta_item t
    WHERE p.body_of >= 0 AND t.run_id = p_run AND t.scope = k.scope LIMIT 1) i ON true
  LEFT JOIN LATERAL (
    SELECT t.first_scope FROM celesta_expansion t
    WHERE p.body_of >= 0 AND t.run_id = p_run AND t.first_scope <= k.scope
    ORDER BY t.first_scope DESC LIMIT 1) e ON true;
  RETURN found_inputs;
END $$;
