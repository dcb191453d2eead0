using Scalar.AspNetCore;

namespace Gateway.Edge.Models;

/// <summary><c>/docs</c>: the API that teams call, to be read and tried in a browser. The admin API's routes are not in it.</summary>
internal static class ApiDocs
{
    public static void AddApiDocs(this IHostApplicationBuilder builder) => builder.Services.AddOpenApi();

    public static void MapApiDocs(this WebApplication app)
    {
        app.MapOpenApi();
        app.MapScalarApiReference("/docs", options => options.WithTitle("AI gateway"));
    }
}
