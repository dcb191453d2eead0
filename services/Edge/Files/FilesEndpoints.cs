namespace Gateway.Edge.Files;

/// <summary><c>/v1/files</c>: OpenAI's files, at the providers that have them, for their owners alone.</summary>
internal static class FilesEndpoints
{
    public static void AddFiles(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ProviderStore>();
        builder.Services.AddSingleton<FileUpload>();
        builder.Services.AddSingleton<FilesRoutes>();
        builder.Services.AddSingleton<NamedFiles>();
    }

    public static void MapFiles(this IEndpointRouteBuilder routes)
    {
        RequestDelegate upload = routes.ServiceProvider.GetRequiredService<FileUpload>().HandleAsync;
        var files = routes.ServiceProvider.GetRequiredService<FilesRoutes>();
        RequestDelegate list = files.ListAsync, find = files.FindAsync, delete = files.DeleteAsync, content = files.ContentAsync;
        foreach (var path in (string[])["/v1/files", "/files"])
        {
            routes.MapPost(path, upload).WithTags("Files").WithSummary("Sends a file to the provider of a model, such as the input of a batch");
            routes.MapGet(path, list).WithTags("Files").WithSummary("The files of the key's team or user");
            routes.MapGet($"{path}/{{id}}", find).WithTags("Files").WithSummary("One file");
            routes.MapDelete($"{path}/{{id}}", delete).WithTags("Files").WithSummary("Deletes a file at its provider");
            routes.MapGet($"{path}/{{id}}/content", content).WithTags("Files").WithSummary("What a file holds, such as the answers of a batch");
        }
    }
}
