using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>Redis, RabbitMQ and PostgreSQL.</summary>
public static class ServerBuilderExtensions
{
    public static IResourceBuilder<RedisResource> AddRedis(
        this IDistributedApplicationBuilder builder, string name, int? port = null, IResourceBuilder<ParameterResource>? password = null) =>
        builder.AddResource(new RedisResource(name) { Port = port, Password = (password ?? Generated(builder, name)).Resource });

    public static IResourceBuilder<RabbitMQServerResource> AddRabbitMQ(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? password = null, int? port = null) =>
        builder.AddResource(new RabbitMQServerResource(name) { Port = port, Password = (password ?? Generated(builder, name)).Resource });

    public static IResourceBuilder<PostgresServerResource> AddPostgres(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<ParameterResource>? password = null, int? port = null) =>
        builder.AddResource(new PostgresServerResource(name) { Port = port, Password = (password ?? Generated(builder, name)).Resource });

    public static IResourceBuilder<PostgresDatabaseResource> AddDatabase(
        this IResourceBuilder<PostgresServerResource> builder, string name, string? databaseName = null)
    {
        var database = new PostgresDatabaseResource(name, databaseName ?? name, builder.Resource);
        builder.Resource.Databases.Add(database);
        return builder.ApplicationBuilder.AddResource(database);
    }

    // On one machine the data always stays, in the data folder: these say so for the containers of Aspire's branch.
    public static IResourceBuilder<RedisResource> WithDataVolume(this IResourceBuilder<RedisResource> builder, string? name = null) => builder;

    public static IResourceBuilder<RabbitMQServerResource> WithDataVolume(this IResourceBuilder<RabbitMQServerResource> builder, string? name = null) => builder;

    public static IResourceBuilder<PostgresServerResource> WithDataVolume(this IResourceBuilder<PostgresServerResource> builder, string? name = null) => builder;

    public static IResourceBuilder<RedisResource> WithPersistence(
        this IResourceBuilder<RedisResource> builder, TimeSpan? interval = null, long keysChangedThreshold = 1) => builder;

    private static IResourceBuilder<ParameterResource> Generated(IDistributedApplicationBuilder builder, string server) =>
        // No special characters: the password stands in an address.
        builder.AddParameter($"{server}-password", new GenerateParameterDefault { Special = false }, secret: true, persist: true);
}
