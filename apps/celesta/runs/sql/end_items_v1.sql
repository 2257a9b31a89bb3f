-- Count ended items for their maps; a map whose last item ended leaves `waiting`, with the items' outputs
-- in item order. Returns the maps that ended. The expansion of a scope is found by its primary key.
CREATE FUNCTION celesta_end_items_v1(
  p_run uuid, p_version bigint, p_at timestamptz, p_scopes int[], p_nodes int[], p_states text[],
  OUT scopes int[], OUT nodes int[], OUT states text[]
) LANGUAGE plpgsql AS $$
DECLARE
  x record;
  e celesta_expansion;
  after text;
BEGIN
  scopes := '{}'; nodes := '{}'; states := '{}';
  FOR x IN
    SELECT found.first_scope, count(*)::int AS n,
           (count(*) FILTER (WHERE f.state NOT IN ('succeeded', 'skipped')))::int AS bad
    FROM unnest(p_scopes, p_nodes, p_states) AS f(scope, node, state)
    CROSS JOIN LATERAL (
      SELECT t.first_scope, t.body FROM celesta_expansion t
      WHERE t.run_id = p_run AND t.first_scope <= f.scope
      ORDER BY t.first_scope DESC LIMIT 1) found
    WHERE f.scope > 0 AND found.body = f.node
    GROUP BY found.first_scope ORDER BY found.first_scope
  LOOP
    UPDATE celesta_expansion t SET done = t.done + x.n, failed = t.failed + x.bad
    WHERE t.run_id = p_run AND t.first_scope = x.first_scope RETURNING * INTO e;
    CONTINUE WHEN e.done < e.total;
    after := celesta_end_map_v1(p_run, p_at, e);
    CONTINUE WHEN after IS NULL;
    scopes := scopes || e.scope; nodes := nodes || e.node; states := states || after;
  END LOOP;
END $$;
