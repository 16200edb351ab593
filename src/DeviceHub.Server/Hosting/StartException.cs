using System.Net.Sockets;
using DeviceHub.Gateways.Mqtt;
using DeviceHub.Storage;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Options;

namespace DeviceHub.Server.Hosting;

/// <summary>The hub cannot start, for a reason that its operator can remove.</summary>
public sealed class StartException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>What an operator should read for an exception of the start; null: it is a bug, show all of it.</summary>
    internal static string? Explain(Exception e) => e switch
    {
        StartException or OptionsValidationException or HubCertificateException or HubDatabaseException => e.Message,
        AddressInUseException => e.Message + "; another program uses it: stop that one or set another port",
        IOException { InnerException: AddressInUseException inner } => Explain(inner) + " (" + e.Message + ")",
        IOException { InnerException: SocketException } => e.Message,
        SocketException => "a network address cannot be used: " + e.Message,
        AggregateException { InnerExceptions.Count: > 0 } many when many.InnerExceptions.All(inner => Explain(inner) is not null) =>
            string.Join("; ", many.InnerExceptions.Select(Explain)),
        _ => null,
    };
}
