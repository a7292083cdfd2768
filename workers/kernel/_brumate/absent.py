NO_PROCESSES = "sessions cannot start processes"
