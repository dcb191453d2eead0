using Gateway.Auth.Tests.Hosting;

namespace Gateway.Auth.Tests.Organizations;

public sealed class OrganizationRoutesTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task An_organization_is_made_changed_shown_listed_and_deleted_when_nothing_belongs_to_it()
    {
        var made = (await auth.PostAsync("/organization/new", new { organization_alias = "Acme", max_budget = 100, models = new[] { "gpt-4" } })).Ok().Json;
        var id = (string)made["organization_id"]!;
        (await auth.PostAsync("/organization/new", new { organization_id = id })).Refused(409, "already_exists");
        (await auth.PostAsync("/team/new", new { team_id = "acme-team", organization_id = id })).Ok();
        (await auth.PostAsync("/organization/update", new { organization_id = id, max_budget = 150 })).Ok();
        var info = (await auth.GetAsync($"/organization/info?organization_id={id}")).Ok().Json;
        Assert.Equal(("Acme", "150", "acme-team"), ((string?)info["organization_alias"], info["max_budget"]!.ToJsonString(), (string?)info["teams"]![0]));
        Assert.Contains((await auth.GetAsync("/organization/list")).Ok().Json.AsArray(), one => (string?)one!["organization_id"] == id);

        (await auth.PostAsync("/organization/delete", new { organization_ids = new[] { id } })).Refused(409, "in_use");
        (await auth.PostAsync("/team/delete", new { team_ids = new[] { "acme-team" } })).Ok();
        (await auth.PostAsync("/organization/delete", new { organization_ids = new[] { id } })).Ok();
        (await auth.GetAsync($"/organization/info?organization_id={id}")).Refused(404, "organization_not_found");
        (await auth.PostAsync("/team/new", new { organization_id = "nowhere" })).Refused(422, "invalid_request");
    }
}
