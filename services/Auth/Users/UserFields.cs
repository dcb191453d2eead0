using Gateway.Auth.Requests;

namespace Gateway.Auth.Users;

/// <summary>Reads <c>/user/new</c>'s and <c>/user/update</c>'s fields over what holds already.</summary>
internal static class UserFields
{
    public static UserRecord Apply(RequestBody body, UserRecord before)
    {
        var role = before.Role;
        if (body.Text("user_role", Roles.NameOf(before.Role)) is { } name && !Roles.TryParse(name, out role))
        {
            body.Problem("user_role", $"must be {Roles.Names}.");
        }

        var email = body.Text("user_email", before.UserEmail, 320);
        if (email is not null && email.IndexOf('@', StringComparison.Ordinal) is < 1)
        {
            body.Problem("user_email", "must be an e-mail address.");
        }

        var organizations = body.Texts("organizations", null);
        return before with
        {
            UserAlias = body.Text("user_alias", before.UserAlias),
            UserEmail = email,
            Role = role,
            OrganizationId = body.Id("organization_id", organizations is { Length: > 0 } ? organizations[0] : before.OrganizationId),
            Allowance = AllowanceFields.Apply(body, before.Allowance),
            Metadata = body.Object("metadata", before.Metadata),
            Blocked = body.Flag("blocked", before.Blocked),
        };
    }
}
