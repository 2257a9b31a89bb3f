-- Write the hints for nodes that have just become ready: one for a single node, one per lane for a wave;
-- items of a map that are ready again go back to its wave.
-- Returns what the caller must publish after its commit. Relies on the slots being few (a sequential scan).
CREATE FUNCTION celesta_travel_v1(
  p_run uuid, p_version bigint, p_at timestamptz, p_scopes int[], p_nodes int[]
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  g record;
  new_wave bigint;
  lanes int;
  ids bigint[];
  sent jsonb := '[]';
BEGIN
  IF 0 < ANY (p_scopes) THEN
    sent := celesta_return_items_v1(p_run, p_at, array_remove(p_scopes, 0));
  END IF;
  FOR g IN
    SELECT r.scope, p.queue, p.priority, array_agg(r.node ORDER BY r.node) AS nodes
    FROM unnest(p_scopes, p_nodes) AS r(scope, node)
    CROSS JOIN LATERAL (
      SELECT * FROM celesta_plan_node t
      WHERE t.version_id = p_version AND t.node = r.node LIMIT 1) p
    WHERE r.scope = 0
    GROUP BY r.scope, p.queue, p.priority
    ORDER BY p.priority DESC, r.scope, p.queue
  LOOP
    IF cardinality(g.nodes) = 1 THEN
      INSERT INTO celesta_hint (run_id, scope, node, queue, priority, released_at, sent_at, sends)
      VALUES (p_run, g.scope, g.nodes[1], g.queue, g.priority, p_at, p_at, 1)
      RETURNING ARRAY[id] INTO ids;
      INSERT INTO celesta_event (run_id, at, kind, scope, node)
      VALUES (p_run, p_at, 'ready', g.scope, g.nodes[1]);
      new_wave := NULL;
    ELSE
      INSERT INTO celesta_wave (run_id, scope, nodes, total, cursor, queue, priority)
      VALUES (p_run, g.scope, g.nodes, cardinality(g.nodes), 0, g.queue, g.priority)
      RETURNING id INTO new_wave;
      lanes := celesta_lanes_v1(g.queue, cardinality(g.nodes));
      ids := celesta_open_lanes_v1(p_run, new_wave, lanes, g.queue, g.priority, p_at);
      -- One event for the whole wave: its members are in the data.
      INSERT INTO celesta_event (run_id, at, kind, scope, data)
      VALUES (p_run, p_at, 'ready', g.scope, jsonb_build_object('nodes', to_jsonb(g.nodes)));
    END IF;
    sent := sent || jsonb_build_object(
      'hints', to_jsonb(ids), 'scope', g.scope, 'nodes', to_jsonb(g.nodes), 'wave', new_wave,
      'queue', g.queue, 'priority', g.priority);
  END LOOP;
  RETURN sent;
END $$;
