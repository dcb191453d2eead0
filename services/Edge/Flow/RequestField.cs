using System.Text.Json;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Flow;

/// <summary>The fields of a request that mean something to the gateway.</summary>
internal enum RequestField
{
    Other,
    Model,
    Stream,
    MaxTokens,
    Options,
    Choices,
    User,
    Metadata,
    StreamOptions,
    DisableFallbacks,
    PreviousResponse,
    Store,
    Background,
    Conversation,
    Danger,
    Generation,
}

/// <summary>Tells by its name which field it is, on the surface that it stands in.</summary>
internal static class RequestFields
{
    public static RequestField Of(ref Utf8JsonReader name, SurfaceProtocol? surface) =>
        surface.IsGeminis() ? GeminiFields.Of(ref name, Named(ref name, surface)) : Named(ref name, surface);

    private static RequestField Named(ref Utf8JsonReader name, SurfaceProtocol? surface)
    {
        // By length first: most properties are decided without a comparison.
        return name.ValueSpan.Length switch
        {
            1 when surface is null && name.ValueTextEquals("n"u8) => RequestField.Choices,
            4 when name.ValueTextEquals("user"u8) => RequestField.User,
            5 when name.ValueTextEquals("model"u8) => RequestField.Model,
            5 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("store"u8) => RequestField.Store,
            6 when name.ValueTextEquals("stream"u8) => RequestField.Stream,
            7 when surface.IsOllamas() && name.ValueTextEquals("options"u8) => RequestField.Options,
            7 when name.ValueTextEquals("api_key"u8) || name.ValueTextEquals("headers"u8) => RequestField.Danger,
            8 when name.ValueTextEquals("api_base"u8) || name.ValueTextEquals("base_url"u8) => RequestField.Danger,
            13 when name.ValueTextEquals("extra_headers"u8) => RequestField.Danger,
            > 9 when IsCloudCredential(ref name) => RequestField.Danger,
            8 when name.ValueTextEquals("metadata"u8) => RequestField.Metadata,
            10 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("background"u8) => RequestField.Background,
            10 when surface != SurfaceProtocol.Responses && !surface.IsOllamas() && name.ValueTextEquals("max_tokens"u8) => RequestField.MaxTokens,
            12 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("conversation"u8) => RequestField.Conversation,
            14 when name.ValueTextEquals("stream_options"u8) => RequestField.StreamOptions,
            17 when name.ValueTextEquals("disable_fallbacks"u8) => RequestField.DisableFallbacks,
            17 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("max_output_tokens"u8) => RequestField.MaxTokens,
            20 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("previous_response_id"u8) => RequestField.PreviousResponse,
            21 when surface is null && name.ValueTextEquals("max_completion_tokens"u8) => RequestField.MaxTokens,
            // An escaped name is rare and must not slip through.
            > 5 when name.ValueIsEscaped => Unescaped(ref name, surface),
            _ => RequestField.Other,
        };
    }

    // LiteLLM's names for whose account of a cloud is used, and where.
    private static bool IsCloudCredential(ref Utf8JsonReader name) =>
        name.ValueSpan[0] is (byte)'a' or (byte)'v' && (name.ValueSpan.StartsWith("aws_"u8) || name.ValueSpan.StartsWith("vertex_"u8) || name.ValueSpan.StartsWith("azure_"u8));

    private static RequestField Unescaped(ref Utf8JsonReader name, SurfaceProtocol? surface) => name.GetString() switch
    {
        "model" => RequestField.Model,
        "stream" => RequestField.Stream,
        "n" when surface is null => RequestField.Choices,
        "user" => RequestField.User,
        "max_tokens" when surface != SurfaceProtocol.Responses && !surface.IsOllamas() => RequestField.MaxTokens,
        "options" when surface.IsOllamas() => RequestField.Options,
        "max_completion_tokens" when surface is null => RequestField.MaxTokens,
        "max_output_tokens" when surface == SurfaceProtocol.Responses => RequestField.MaxTokens,
        "previous_response_id" when surface == SurfaceProtocol.Responses => RequestField.PreviousResponse,
        "store" when surface == SurfaceProtocol.Responses => RequestField.Store,
        "background" when surface == SurfaceProtocol.Responses => RequestField.Background,
        "conversation" when surface == SurfaceProtocol.Responses => RequestField.Conversation,
        "stream_options" => RequestField.StreamOptions,
        "disable_fallbacks" => RequestField.DisableFallbacks,
        "metadata" => RequestField.Metadata,
        "api_key" or "api_base" or "base_url" or "headers" or "extra_headers" => RequestField.Danger,
        ['a', 'w', 's', '_', ..] or ['v', 'e', 'r', 't', 'e', 'x', '_', ..] or ['a', 'z', 'u', 'r', 'e', '_', ..] => RequestField.Danger,
        _ => RequestField.Other,
    };
}
