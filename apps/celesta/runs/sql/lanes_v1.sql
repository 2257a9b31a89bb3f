-- How many lanes a wave gets: one for each live slot that listens to its queue, never more than members.
-- (PL/pgSQL throughout: a function in plain SQL is parsed and planned anew at every call.)
CREATE FUNCTION celesta_lanes_v1(p_queue text, p_members int) RETURNS int LANGUAGE plpgsql STABLE AS $$
DECLARE
  slots int;
BEGIN
  SELECT count(*) INTO slots
  FROM celesta_slot s WHERE s.lease_until > now() AND p_queue = ANY (s.queues);
  RETURN least(p_members, greatest(2, slots));
END $$;

-- Write the hints of a wave's lanes.
CREATE FUNCTION celesta_open_lanes_v1(
  p_run uuid, p_wave bigint, p_lanes int, p_queue text, p_priority int, p_at timestamptz
) RETURNS bigint[] LANGUAGE plpgsql AS $$
DECLARE
  ids bigint[];
BEGIN
  WITH lane AS (
    INSERT INTO celesta_hint (run_id, wave, queue, priority, released_at, sent_at, sends)
    SELECT p_run, p_wave, p_queue, p_priority, p_at, p_at, 1 FROM generate_series(1, p_lanes)
    RETURNING id)
  SELECT array_agg(id ORDER BY id) INTO ids FROM lane;
  RETURN ids;
END $$;

-- How many members of a wave nobody has claimed: those behind the cursor, and of a map the items that
-- came back.
CREATE FUNCTION celesta_members_v1(w celesta_wave) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
  RETURN w.total - w.cursor + CASE WHEN w.node IS NULL THEN 0 ELSE coalesce(cardinality(w.nodes), 0) END;
END $$;

-- How many items of a map run or are about to, besides those of slot p_but: a lane, whether its hint
-- travels or a slot came with it, runs one at a time; a task of another worker runs without a slot.
-- Exact under the wave's row lock, which is held wherever a lane comes or goes.
CREATE FUNCTION celesta_items_at_once_v1(w celesta_wave, p_but bigint) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
  hints int;
  slots int;
  elsewhere int;
BEGIN
  SELECT count(*) INTO hints FROM celesta_hint h WHERE h.run_id = w.run_id AND h.wave = w.id;
  SELECT count(*) INTO slots FROM celesta_slot s
  WHERE s.wave = w.id AND s.token IS NOT NULL AND s.id IS DISTINCT FROM p_but;
  SELECT count(*) INTO elsewhere FROM celesta_timer t
  WHERE t.run_id = w.run_id AND t.kind <> 'retry' AND t.scope >= w.scope AND t.scope < w.scope + w.total;
  RETURN hints + slots + elsewhere;
END $$;

-- Open the lanes that the items of a map still want: one for each live slot, within the map's limit.
-- p_leaving slots are about to leave the wave.
CREATE FUNCTION celesta_fill_lanes_v1(p_run uuid, p_wave bigint, p_at timestamptz, p_leaving int)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  w celesta_wave;
  most int;
  lanes int;
BEGIN
  SELECT * INTO w FROM celesta_wave WHERE id = p_wave FOR UPDATE;
  IF NOT FOUND THEN RETURN '[]'; END IF;
  SELECT e.max_parallel INTO most FROM celesta_expansion e
  WHERE e.run_id = p_run AND e.first_scope = w.scope;
  most := least(celesta_lanes_v1(w.queue, w.total), most)
    - celesta_items_at_once_v1(w, NULL) + p_leaving;
  lanes := least(most, celesta_members_v1(w));
  IF lanes <= 0 THEN RETURN '[]'; END IF;
  RETURN jsonb_build_array(jsonb_build_object(
    'hints', celesta_open_lanes_v1(p_run, p_wave, lanes, w.queue, w.priority, p_at),
    'scope', w.scope, 'nodes', jsonb_build_array(w.node), 'wave', p_wave,
    'queue', w.queue, 'priority', w.priority));
END $$;

-- Items of maps that are ready again (after a retry's pause, a hand-back or a loss) go back to the wave of
-- their map: a message for each could run more of them at once than the map allows. Relies on the wave's
-- index on the run.
CREATE FUNCTION celesta_return_items_v1(p_run uuid, p_at timestamptz, p_scopes int[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  g record;
  w bigint;
  sent jsonb := '[]';
BEGIN
  FOR g IN
    SELECT e.first_scope, e.body, array_agg(k.scope ORDER BY k.scope) AS scopes
    FROM unnest(p_scopes) AS k(scope)
    CROSS JOIN LATERAL (
      SELECT t.first_scope, t.body FROM celesta_expansion t
      WHERE t.run_id = p_run AND t.first_scope <= k.scope
      ORDER BY t.first_scope DESC LIMIT 1) e
    GROUP BY e.first_scope, e.body ORDER BY e.first_scope
  LOOP
    INSERT INTO celesta_event (run_id, at, kind, scope, node)
    SELECT p_run, p_at, 'ready', k.scope, g.body FROM unnest(g.scopes) AS k(scope);
    UPDATE celesta_wave t SET nodes = coalesce(t.nodes, '{}') || g.scopes
    WHERE t.run_id = p_run AND t.scope = g.first_scope AND t.node = g.body
    RETURNING t.id INTO w;
    sent := sent || celesta_fill_lanes_v1(p_run, w, p_at, 0);
  END LOOP;
  RETURN sent;
END $$;

-- Items that ran without a slot have ended or wait for a retry: others of their map may begin.
CREATE FUNCTION celesta_items_left_v1(p_run uuid, p_at timestamptz, p_scopes int[])
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
  w bigint;
  sent jsonb := '[]';
BEGIN
  IF NOT 0 < ANY (p_scopes) THEN RETURN sent; END IF;
  FOR w IN
    SELECT DISTINCT t.id FROM unnest(p_scopes) AS k(scope)
    JOIN celesta_wave t ON t.run_id = p_run AND t.node IS NOT NULL
      AND k.scope >= t.scope AND k.scope < t.scope + t.total
    ORDER BY t.id
  LOOP
    sent := sent || celesta_fill_lanes_v1(p_run, w, p_at, 0);
  END LOOP;
  RETURN sent;
END $$;
