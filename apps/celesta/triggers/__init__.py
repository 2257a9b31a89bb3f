"""How runs begin by themselves: schedules."""
