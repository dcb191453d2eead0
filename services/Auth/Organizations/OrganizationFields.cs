using Gateway.Auth.Requests;

namespace Gateway.Auth.Organizations;

/// <summary>Reads <c>/organization/new</c>'s and <c>/organization/update</c>'s fields over what holds already.</summary>
internal static class OrganizationFields
{
    public static OrganizationRecord Apply(RequestBody body, OrganizationRecord before) => before with
    {
        OrganizationAlias = body.Text("organization_alias", before.OrganizationAlias),
        Allowance = AllowanceFields.Apply(body, before.Allowance),
        Metadata = body.Object("metadata", before.Metadata),
        Blocked = body.Flag("blocked", before.Blocked),
    };
}
