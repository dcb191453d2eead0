using System.Text.Json.Serialization;
using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Keys;
using Gateway.Auth.Organizations;
using Gateway.Auth.Spend;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;

namespace Gateway.Auth;

/// <summary>The JSON of the admin API: LiteLLM's names, absent values as null.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(BudgetLimit[]))]
[JsonSerializable(typeof(Dictionary<string, string>))]
[JsonSerializable(typeof(KeyView))]
[JsonSerializable(typeof(KeyInfo))]
[JsonSerializable(typeof(KeyIds))]
[JsonSerializable(typeof(KeyViews))]
[JsonSerializable(typeof(DeletedKeys))]
[JsonSerializable(typeof(SpendWasReset))]
[JsonSerializable(typeof(UserView))]
[JsonSerializable(typeof(UserInfo))]
[JsonSerializable(typeof(UserList))]
[JsonSerializable(typeof(DeletedUsers))]
[JsonSerializable(typeof(TeamView))]
[JsonSerializable(typeof(TeamView[]))]
[JsonSerializable(typeof(TeamUpdated))]
[JsonSerializable(typeof(TeamInfo))]
[JsonSerializable(typeof(TeamMember))]
[JsonSerializable(typeof(TeamMemberView))]
[JsonSerializable(typeof(DeletedTeams))]
[JsonSerializable(typeof(OrganizationView))]
[JsonSerializable(typeof(OrganizationView[]))]
[JsonSerializable(typeof(DeletedOrganizations))]
[JsonSerializable(typeof(AuditPage))]
internal sealed partial class AuthJson : JsonSerializerContext;
