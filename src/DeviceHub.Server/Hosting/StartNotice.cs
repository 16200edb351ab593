using System.Globalization;
using System.Net;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Server.SignIn;

namespace DeviceHub.Server.Hosting;

/// <summary>A hub that has started: where it listens and how to sign in.</summary>
/// <param name="Plain">MQTT without TLS; null: not listening.</param>
/// <param name="Tls">MQTT over TLS; null: not listening.</param>
/// <param name="FirstPassword">Of the first start alone, and told this once.</param>
public sealed record HubStart(IReadOnlyList<Uri> Pages, IPEndPoint? Plain, IPEndPoint? Tls, string DataFolder, string UserName, string? FirstPassword)
{
    /// <summary>Without the password.</summary>
    public override string ToString() => $"hub of {DataFolder}";
}

/// <summary>What a person who starts the hub must know, in a few lines of English and of Chinese. Not a log: it may hold a password.</summary>
internal static class StartNotice
{
    public static void TellStart(this WebApplication app, Action<HubStart> tell) => app.Lifetime.ApplicationStarted.Register(() =>
    {
        var mqtt = app.Services.GetService<MqttAddresses>();
        tell(new HubStart(
            app.Services.GetRequiredService<HttpListeners>().Addresses,
            mqtt?.Plain,
            mqtt?.Tls,
            app.Services.GetRequiredService<DataFolder>().Path,
            FirstOwner.UserName,
            app.Services.GetRequiredService<FirstOwner>().TakePassword()));
    });

    public static void Print(HubStart start)
    {
        foreach (var culture in new[] { Texts.English, Texts.Chinese })
        {
            Console.Out.WriteLine(Compose(culture, start));
        }
    }

    private static string Compose(CultureInfo culture, HubStart start)
    {
        var terminals = string.Join("  ", new[] { start.Plain is { } plain ? $"mqtt://{plain}" : null, start.Tls is { } tls ? $"mqtts://{tls}" : null }.OfType<string>());
        var signIn = string.Format(culture, Texts.Get("StartSignIn", culture), start.Pages[0] + SignInPages.Path[1..], start.UserName);
        var secret = start.FirstPassword is null ? Texts.Get("StartPasswordKnown", culture) : string.Format(culture, Texts.Get("StartPassword", culture), start.FirstPassword);
        return $"""
            {Texts.Get("StartListens", culture)}
              {Texts.Get("StartPages", culture)}: {string.Join("  ", start.Pages)}
              {Texts.Get("StartTerminals", culture)}: {terminals}
              {Texts.Get("StartData", culture)}: {start.DataFolder}
              {signIn}
              {secret}
            """;
    }
}
