using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>The fields of a request that mean something to the gateway.</summary>
internal enum ChatRequestField
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
}

/// <summary>Tells by its name which field it is, on the surface that it stands in.</summary>
internal static class ChatRequestFields
{
    public static ChatRequestField Of(ref Utf8JsonReader name, SurfaceProtocol? surface)
    {
        // By length first: most properties are decided without a comparison.
        return name.ValueSpan.Length switch
        {
            1 when surface is null && name.ValueTextEquals("n"u8) => ChatRequestField.Choices,
            4 when name.ValueTextEquals("user"u8) => ChatRequestField.User,
            5 when name.ValueTextEquals("model"u8) => ChatRequestField.Model,
            5 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("store"u8) => ChatRequestField.Store,
            6 when name.ValueTextEquals("stream"u8) => ChatRequestField.Stream,
            7 when surface.IsOllamas() && name.ValueTextEquals("options"u8) => ChatRequestField.Options,
            7 when name.ValueTextEquals("api_key"u8) || name.ValueTextEquals("headers"u8) => ChatRequestField.Danger,
            8 when name.ValueTextEquals("api_base"u8) || name.ValueTextEquals("base_url"u8) => ChatRequestField.Danger,
            13 when name.ValueTextEquals("extra_headers"u8) => ChatRequestField.Danger,
            > 9 when IsCloudCredential(ref name) => ChatRequestField.Danger,
            8 when name.ValueTextEquals("metadata"u8) => ChatRequestField.Metadata,
            10 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("background"u8) => ChatRequestField.Background,
            10 when surface != SurfaceProtocol.Responses && !surface.IsOllamas() && name.ValueTextEquals("max_tokens"u8) => ChatRequestField.MaxTokens,
            12 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("conversation"u8) => ChatRequestField.Conversation,
            14 when name.ValueTextEquals("stream_options"u8) => ChatRequestField.StreamOptions,
            17 when name.ValueTextEquals("disable_fallbacks"u8) => ChatRequestField.DisableFallbacks,
            17 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("max_output_tokens"u8) => ChatRequestField.MaxTokens,
            20 when surface == SurfaceProtocol.Responses && name.ValueTextEquals("previous_response_id"u8) => ChatRequestField.PreviousResponse,
            21 when surface is null && name.ValueTextEquals("max_completion_tokens"u8) => ChatRequestField.MaxTokens,
            // An escaped name is rare and must not slip through.
            > 5 when name.ValueIsEscaped => Unescaped(ref name, surface),
            _ => ChatRequestField.Other,
        };
    }

    // LiteLLM's names for whose account of a cloud is used, and where.
    private static bool IsCloudCredential(ref Utf8JsonReader name) =>
        name.ValueSpan[0] is (byte)'a' or (byte)'v' && (name.ValueSpan.StartsWith("aws_"u8) || name.ValueSpan.StartsWith("vertex_"u8) || name.ValueSpan.StartsWith("azure_"u8));

    private static ChatRequestField Unescaped(ref Utf8JsonReader name, SurfaceProtocol? surface) => name.GetString() switch
    {
        "model" => ChatRequestField.Model,
        "stream" => ChatRequestField.Stream,
        "n" when surface is null => ChatRequestField.Choices,
        "user" => ChatRequestField.User,
        "max_tokens" when surface != SurfaceProtocol.Responses && !surface.IsOllamas() => ChatRequestField.MaxTokens,
        "options" when surface.IsOllamas() => ChatRequestField.Options,
        "max_completion_tokens" when surface is null => ChatRequestField.MaxTokens,
        "max_output_tokens" when surface == SurfaceProtocol.Responses => ChatRequestField.MaxTokens,
        "previous_response_id" when surface == SurfaceProtocol.Responses => ChatRequestField.PreviousResponse,
        "store" when surface == SurfaceProtocol.Responses => ChatRequestField.Store,
        "background" when surface == SurfaceProtocol.Responses => ChatRequestField.Background,
        "conversation" when surface == SurfaceProtocol.Responses => ChatRequestField.Conversation,
        "stream_options" => ChatRequestField.StreamOptions,
        "disable_fallbacks" => ChatRequestField.DisableFallbacks,
        "metadata" => ChatRequestField.Metadata,
        "api_key" or "api_base" or "base_url" or "headers" or "extra_headers" => ChatRequestField.Danger,
        ['a', 'w', 's', '_', ..] or ['v', 'e', 'r', 't', 'e', 'x', '_', ..] or ['a', 'z', 'u', 'r', 'e', '_', ..] => ChatRequestField.Danger,
        _ => ChatRequestField.Other,
    };
}
