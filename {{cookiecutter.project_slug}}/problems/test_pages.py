from problems.models import Problem, Submission


def test_pages_show_problems_as_text(client, student):
    problem = Problem.objects.create(slug="sum", title="<b>Sum</b>", statement="<script>alert()</script>")
    assert client.get("/problems/").status_code == 302
    client.force_login(student)
    accepted = Submission.Verdict.ACCEPTED
    problem.submissions.create(owner=student, code="print('</textarea>')", verdict=accepted)
    listed = client.get("/problems/").content.decode()
    assert "solved" in listed
    assert "&lt;b&gt;Sum&lt;/b&gt;" in listed
    page = client.get("/problems/sum/").content.decode()
    assert "&lt;script&gt;alert()" in page
    assert "print(&#x27;&lt;/textarea&gt;" in page
    assert client.get("/problems/nothing/").status_code == 404
