"""What the service shows in a browser: values in, HTML out.

- Nothing here asks for anything, decides anything or knows a workflow: the routes in `web` give it
  what the use cases answered, and titles come from the course's own definition.
- Every page is whole without a program: what the one script adds, links do as well.
- Nothing is loaded from elsewhere, and a style or a program in a page is not run.
"""
