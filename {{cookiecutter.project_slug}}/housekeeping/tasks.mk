.PHONY: worker beat
worker: .env ## Run tasks, as in production; it does not notice changes of the code
	$(PYTHON) -m celery --app config worker

beat: .env ## Run the clock, which starts tasks when they are due
	$(PYTHON) -m celery --app config beat
