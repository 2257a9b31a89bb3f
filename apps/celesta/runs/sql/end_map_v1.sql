-- End one map whose items have all ended: succeeded with the list of outputs (null where an item failed
-- or was skipped), or failed when more items failed than the author tolerates. NULL: it was not waiting.
CREATE FUNCTION celesta_end_map_v1(p_run uuid, p_at timestamptz, e celesta_expansion)
RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  after text := CASE WHEN e.failed > e.tolerate THEN 'failed' ELSE 'succeeded' END;
  problem jsonb;
  tries int;
BEGIN
  UPDATE celesta_node_run n SET state = after, finished_at = p_at
  WHERE n.run_id = p_run AND n.scope = e.scope AND n.node = e.node AND n.state = 'waiting'
  RETURNING n.attempt INTO tries;
  IF NOT FOUND THEN RETURN NULL; END IF;
  WITH over AS (
    DELETE FROM celesta_wave w WHERE w.run_id = p_run AND w.scope = e.first_scope AND w.node = e.body
    RETURNING w.id)
  DELETE FROM celesta_hint h USING over WHERE h.run_id = p_run AND h.wave = over.id;
  IF after = 'failed' THEN
    SELECT jsonb_build_object(
      'code', 'items_failed', 'retryable', false,
      'message', format('%s of %s items failed', e.failed, e.total),
      'items', jsonb_agg(bad.item))
    INTO problem
    FROM (
      SELECT jsonb_build_object('index', o.scope - e.first_scope, 'error', o.error) AS item
      FROM celesta_output o
      WHERE o.run_id = p_run AND o.scope >= e.first_scope AND o.scope < e.first_scope + e.total
        AND o.node = e.body AND o.error IS NOT NULL
      ORDER BY o.scope LIMIT 10) bad;
    INSERT INTO celesta_output (run_id, scope, node, error) VALUES (p_run, e.scope, e.node, problem);
  ELSE
    INSERT INTO celesta_output (run_id, scope, node, value)
    SELECT p_run, e.scope, e.node, coalesce(jsonb_agg(o.value ORDER BY i), '[]')
    FROM generate_series(e.first_scope, e.first_scope + e.total - 1) AS i
    -- By key, one at a time: as a plain join it is planned as a scan of all outputs for each item.
    LEFT JOIN LATERAL (
      SELECT t.value FROM celesta_output t
      WHERE t.run_id = p_run AND t.scope = i AND t.node = e.body LIMIT 1) o ON true;
  END IF;
  INSERT INTO celesta_event (run_id, at, kind, scope, node, attempt, data)
  VALUES (p_run, p_at, after, e.scope, e.node, tries, problem);
  RETURN after;
END $$;
